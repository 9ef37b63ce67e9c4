// Starts Swagger UI on the description that the page names. Whoever is logged in changes something with the page's CSRF token.
const target = document.getElementById("swagger-ui");

function withToken(request) {
  const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
  if (token && new URL(request.url, location).origin === location.origin) {
    request.headers["X-CSRFToken"] = token[1];
  }
  return request;
}

SwaggerUIBundle({ url: target.dataset.schema, domNode: target, deepLinking: true, requestInterceptor: withToken });

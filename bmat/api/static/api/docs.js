// Starts Swagger UI on the description that the page names.
const target = document.getElementById("swagger-ui");
SwaggerUIBundle({ url: target.dataset.schema, domNode: target, deepLinking: true });

// Uploads that outlive the document: what they are, how far they are, and their files where the
// browser has room for them. Without IndexedDB nothing is kept, and nothing fails.

const NAME = "bmat-uploads";
// The rest of the room is left to the browser.
const MOST_OF_QUOTA = 0.6;

let opened = null;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("uploads", { keyPath: "id" });
      request.result.createObjectStore("files");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function change(stores, work) {
  try {
    const transaction = (await database()).transaction(stores, "readwrite");
    const result = work(transaction);
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
    return result?.result ?? true;
  } catch {
    return null;
  }
}

// Keeps what an upload is: plain values alone.
export const keep = (record) => change(["uploads"], (transaction) => transaction.objectStore("uploads").put(record));

export const forget = (id) => change(["uploads", "files"], (transaction) => {
  transaction.objectStore("uploads").delete(id);
  transaction.objectStore("files").delete(id);
});

export async function all() {
  return (await change(["uploads"], (transaction) => transaction.objectStore("uploads").getAll())) || [];
}

// Whether the browser keeps these files. That may take a while: it copies them.
export async function keepFiles(id, files) {
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const { quota = Infinity, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {};
  if (size > (quota - usage) * MOST_OF_QUOTA) return false;
  return (await change(["files"], (transaction) => transaction.objectStore("files").put(files, id))) !== null;
}

// The files of an upload that were kept; null where they were not.
export async function files(id) {
  const found = await change(["files"], (transaction) => transaction.objectStore("files").get(id));
  return Array.isArray(found) ? found : null;
}

// The device's own keeping place (IndexedDB): the queue, and what the page needs to work without a network.
import type { Entry, Shelf } from "./queue";

const NAME = "toji-sense";

function asked<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB"));
  });
}

let opened: Promise<IDBDatabase> | null = null;

function database(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("queue", { keyPath: "id" });
      request.result.createObjectStore("kept");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB"));
  });
  return opened;
}

/** One request in one transaction, resolved when it is durable. */
async function work<T>(store: string, mode: IDBTransactionMode, what: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const transaction = (await database()).transaction(store, mode, { durability: "strict" });
  const done = new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error("IndexedDB"));
  });
  const [answer] = await Promise.all([asked(what(transaction.objectStore(store))), done]);
  return answer;
}

export const shelf: Shelf = {
  all: () => work<Entry[]>("queue", "readonly", (store) => store.getAll() as IDBRequest<Entry[]>),
  put: async (entry) => void (await work("queue", "readwrite", (store) => store.put(entry))),
  remove: async (id) => void (await work("queue", "readwrite", (store) => store.delete(id))),
};

export interface Kept<T> {
  value: T;
  /** when it came from the server, ms since 1970 */
  at: number;
}

/** Keeps an answer of the server that the page must have without one. */
export async function keep<T>(name: string, value: T, at: number): Promise<void> {
  await work("kept", "readwrite", (store) => store.put({ value, at }, name));
}

export async function kept<T>(name: string): Promise<Kept<T> | null> {
  const found: unknown = await work("kept", "readonly", (store) => store.get(name) as IDBRequest<unknown>);
  return (found as Kept<T> | undefined) ?? null;
}

// What this browser remembers: metabolic models that were brought, and pathway maps (IndexedDB; they are large).

export interface Remembered {
  address: string;
  /** name of the file or of the model */
  name: string;
  /** ms since 1970 */
  at: number;
}

const KEY = "toji-flux-models";
const MODELS_MAX = 30;

function isRemembered(given: unknown): given is Remembered {
  return typeof given === "object" && given !== null && "address" in given && typeof given.address === "string" && "name" in given && typeof given.name === "string" && "at" in given && typeof given.at === "number";
}

/** Newest first. What cannot be read is nothing. */
export function readRemembered(text: string | null): Remembered[] {
  try {
    const read: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(read) ? read.filter(isRemembered).sort((a, b) => b.at - a.at).slice(0, MODELS_MAX) : [];
  } catch {
    return [];
  }
}

/** With one more, or with a newer one in the place of the old. */
export function remember(list: readonly Remembered[], one: Remembered): Remembered[] {
  return [one, ...list.filter((other) => other.address !== one.address)].slice(0, MODELS_MAX);
}

export function loadModels(): Remembered[] {
  return readRemembered(localStorage.getItem(KEY));
}

export function saveModels(list: readonly Remembered[]): void {
  localStorage.setItem(KEY, JSON.stringify(list));
}

let opened: Promise<IDBDatabase> | null = null;

function asked<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB"));
  });
}

function maps(mode: IDBTransactionMode): Promise<IDBObjectStore> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("toji-flux", 1);
    request.onupgradeneeded = () => void request.result.createObjectStore("maps");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB"));
  });
  return opened.then((database) => database.transaction("maps", mode).objectStore("maps"));
}

/** Names of the maps, in alphabetical order. */
export async function mapNames(): Promise<string[]> {
  return (await asked((await maps("readonly")).getAllKeys())).map(String);
}

export async function mapText(name: string): Promise<string | null> {
  const text: unknown = await asked((await maps("readonly")).get(name) as IDBRequest<unknown>);
  return typeof text === "string" ? text : null;
}

export async function keepMap(name: string, text: string): Promise<void> {
  await asked((await maps("readwrite")).put(text, name));
}

export async function dropMap(name: string): Promise<void> {
  await asked((await maps("readwrite")).delete(name));
}

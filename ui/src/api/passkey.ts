// Passkeys: what the server asks goes to the browser, what the authenticator says goes back. Bytes travel as base64url;
// `toJSON` of the platform does the same, but not in every browser that these pages run in.
import { post, type Entered } from "./session";

export interface Passkey {
  id: string;
  name: string;
  created: string;
  used: string | null;
  /** may it be copied to other devices of its owner? */
  eligible: boolean;
  backed_up: boolean;
}

interface Descriptor {
  type: "public-key";
  id: string;
  transports: string[];
}

export interface CreationOptions {
  rp: { id: string; name: string };
  user: { id: string; name: string; displayName: string };
  challenge: string;
  pubKeyCredParams: { type: "public-key"; alg: number }[];
  timeout: number;
  excludeCredentials: Descriptor[];
  authenticatorSelection: AuthenticatorSelectionCriteria;
  attestation: "none";
}

export interface RequestOptions {
  rpId: string;
  challenge: string;
  timeout: number;
  allowCredentials: Descriptor[];
  userVerification: UserVerificationRequirement;
}

export function toBytes(text: string): ArrayBuffer {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = new Uint8Array(plain.length);
  for (let i = 0; i < plain.length; i += 1) bytes[i] = plain.charCodeAt(i);
  return bytes.buffer;
}

export function fromBytes(bytes: ArrayBuffer): string {
  const plain = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join("");
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const described = (list: Descriptor[]): PublicKeyCredentialDescriptor[] =>
  list.map((one) => ({ type: one.type, id: toBytes(one.id), transports: one.transports as AuthenticatorTransport[] }));

export function creation(options: CreationOptions): PublicKeyCredentialCreationOptions {
  return {
    ...options,
    challenge: toBytes(options.challenge),
    user: { ...options.user, id: toBytes(options.user.id) },
    excludeCredentials: described(options.excludeCredentials),
  };
}

export function request(options: RequestOptions): PublicKeyCredentialRequestOptions {
  return { ...options, challenge: toBytes(options.challenge), allowCredentials: described(options.allowCredentials) };
}

/** Can this page use passkeys that count at `origin`? */
export const works = (origin: string | null) =>
  origin !== null && origin === window.location.origin && window.isSecureContext && typeof window.PublicKeyCredential === "function";

/** Whoever closes the browser's dialogue, or lets it run out, has done nothing wrong. */
export const cancelled = (thrown: unknown) => thrown instanceof DOMException && ["NotAllowedError", "AbortError"].includes(thrown.name);
/** The authenticator holds a passkey of this user already. */
export const known = (thrown: unknown) => thrown instanceof DOMException && thrown.name === "InvalidStateError";

export const passkeys = async () => (await post<{ passkeys: Passkey[] }>("GET", "/passkeys")).passkeys;
export const rename = (id: string, name: string) => post<unknown>("POST", "/passkeys/rename", { id, name });
export const remove = (id: string, password: string, code: string) =>
  post<Entered>("POST", "/passkeys/remove", code === "" ? { id, password } : { id, password, code });

export async function add(name: string, password: string, code: string): Promise<Entered> {
  const begun = await post<{ options: CreationOptions }>("POST", "/passkeys/begin", code === "" ? { password } : { password, code });
  const made = (await navigator.credentials.create({ publicKey: creation(begun.options) })) as PublicKeyCredential;
  const response = made.response as AuthenticatorAttestationResponse;
  const credential = {
    id: made.id,
    type: made.type,
    response: {
      clientDataJSON: fromBytes(response.clientDataJSON),
      attestationObject: fromBytes(response.attestationObject),
      transports: response.getTransports?.() ?? [],
    },
  };
  return post<Entered>("POST", "/passkeys", { name, credential });
}

/** Beside user and password, or alone. */
export async function enter(beside?: { user: string; password: string }): Promise<Entered> {
  const begun = await post<{ options: RequestOptions }>("POST", "/passkey/begin", beside ?? {});
  const got = (await navigator.credentials.get({ publicKey: request(begun.options) })) as PublicKeyCredential;
  const response = got.response as AuthenticatorAssertionResponse;
  const credential = {
    id: got.id,
    type: got.type,
    response: {
      clientDataJSON: fromBytes(response.clientDataJSON),
      authenticatorData: fromBytes(response.authenticatorData),
      signature: fromBytes(response.signature),
      userHandle: response.userHandle === null ? null : fromBytes(response.userHandle),
    },
  };
  return post<Entered>("POST", "/passkey", { credential });
}

// The way in and out. Passwords and codes go to these routes and nowhere else; the
// token of the session stays in a cookie that no script can read.
import { refusal, type Problem } from "./client";
import type { Text } from "./types";

const PATH = "/api/v1/session";

export interface Role {
  code: string;
  label: Text;
}

export interface WhoAmI {
  id: string;
  organisation: string | null;
  roles: Role[];
  second_factor: boolean;
  authenticator_app: boolean;
  passkeys: number;
  recovery_codes: number;
  ends: string;
}

export interface SessionState {
  /** does this store ask for a log-in? */
  login: boolean;
  /** does this server ask for a second factor? */
  second_factor_required: boolean;
  /** where passkeys count; none when the server does not know its name */
  passkey_origin: string | null;
  /** a provider where one may log in instead */
  provider: string | null;
  user: WhoAmI | null;
}

export interface Entered {
  user: string;
  ends: string;
  recovery_codes?: string[];
}

export interface NewKey {
  secret: string;
  uri: string;
}

export interface OpenSession {
  session: string;
  begun: string;
  used_last: string;
  counts_until: string;
  address: string;
  client: string;
}

async function send<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, headers: { accept: "application/json" } };
  if (body !== undefined) {
    init.headers = { accept: "application/json", "content-type": "application/json" };
    init.body = JSON.stringify(body);
  }
  const response = await fetch(path, init);
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as T;
}

/** A route below that of the session. */
export const post = <T>(method: "GET" | "POST", below: string, body?: unknown) => send<T>(method, `${PATH}${below}`, body);

export const whoAmI = () => send<SessionState>("GET", PATH);
export const logIn = (user: string, password: string, code: string) =>
  send<Entered>("POST", PATH, code === "" ? { user, password } : { user, password, code });
export const logOut = () => send<unknown>("DELETE", PATH);
export const enrol = (user: string, code: string, password: string) => send<Entered>("POST", `${PATH}/enrol`, { user, code, password });
export const changePassword = (password: string, new_password: string, code: string) =>
  send<Entered>("POST", `${PATH}/password`, code === "" ? { password, new_password } : { password, new_password, code });
export const beginSecondFactor = (password: string, code: string) =>
  send<NewKey>("POST", `${PATH}/second-factor`, code === "" ? { password } : { password, code });
export const confirmSecondFactor = (code: string) => send<Entered>("POST", `${PATH}/second-factor`, { code });
export const openSessions = async () => (await send<{ sessions: OpenSession[] }>("POST", "/api/v1/user/sessions", {})).sessions;
export const endSession = (session: string) => send<unknown>("POST", "/api/v1/user/end-session", { session });

/** Where to send the browser for a log-in at the provider. */
export const beginProvider = async () => (await post<{ address: string }>("POST", "/provider/begin", {})).address;
/** It is back, with this in its address. */
export function finishProvider(query: URLSearchParams): Promise<Entered> {
  const iss = query.get("iss");
  const back = { code: query.get("code") ?? "", state: query.get("state") ?? "" };
  return post<Entered>("POST", "/provider", iss === null ? back : { ...back, iss });
}

/** Does the server want a second factor: the code of the authenticator app, or a passkey? */
export const wantsSecond = (problem: Problem) => problem.code === "E-LOGIN-003" || wantsPasskey(problem);
export const wantsPasskey = (problem: Problem) => problem.code === "E-LOGIN-014";

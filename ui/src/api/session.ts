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
  recovery_codes: number;
  ends: string;
}

export interface SessionState {
  /** does this store ask for a log-in? */
  login: boolean;
  /** does this server ask for a second factor? */
  second_factor_required: boolean;
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

/** Does the server want the code of the authenticator app? */
export const wantsCode = (problem: Problem) => problem.code === "E-LOGIN-003";

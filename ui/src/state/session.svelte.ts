// Who is logged in. Until the server has said so nothing is drawn; when it cannot be
// reached the pages are, since some of them work without it.
import { asProblem, LOGGED_OUT } from "../api/client";
import { logOut, whoAmI, type WhoAmI } from "../api/session";
import { tx } from "../i18n/index.svelte";
import { say } from "./toast.svelte";

class Session {
  known = $state(false);
  user = $state.raw<WhoAmI | null>(null);
  /** the store has users, and nobody is logged in */
  shut = $state(false);
  /** logged in, but a second factor must be set up first */
  bound = $state(false);
  /** where passkeys count */
  passkeyOrigin = $state.raw<string | null>(null);
  /** a provider where one may log in instead, by its name */
  provider = $state.raw<string | null>(null);

  async load(): Promise<void> {
    try {
      const told = await whoAmI();
      this.user = told.user;
      this.passkeyOrigin = told.passkey_origin;
      this.provider = told.provider;
      this.shut = told.login && told.user === null;
      this.bound = told.second_factor_required && told.user?.second_factor === false;
    } catch {
      this.user = this.passkeyOrigin = this.provider = null;
      this.shut = this.bound = false;
    } finally {
      this.known = true;
    }
  }

  async leave(): Promise<void> {
    try {
      await logOut();
    } catch (thrown) {
      say(tx(asProblem(thrown).text));
    }
    await this.load();
  }
}

export const session = new Session();

/** Asks who is logged in, now and whenever a request finds that nobody is. */
export function startSession(): void {
  window.addEventListener(LOGGED_OUT, () => void session.load());
  void session.load();
}

// Steps of the account's page, and the second factor that some of them want.
import { asProblem, type Problem } from "../../api/client";
import { cancelled, enter, works } from "../../api/passkey";
import { wantsSecond } from "../../api/session";
import { session } from "../../state/session.svelte";

/** Runs one step; gives the problem, if there was one. */
export async function step(run: () => Promise<void>): Promise<Problem | null> {
  try {
    await run();
    return null;
  } catch (thrown) {
    return asProblem(thrown);
  }
}

/** Runs something that wants a second factor: when no code was given, the browser asks for a passkey, and it runs again. */
export async function withSecond<T>(password: string, run: () => Promise<T>): Promise<T> {
  const me = session.user;
  try {
    return await run();
  } catch (thrown) {
    const can = me && me.passkeys > 0 && works(session.passkeyOrigin);
    if (!can || !wantsSecond(asProblem(thrown))) throw thrown;
    try {
      await enter({ user: me.id, password });
    } catch (refused) {
      throw cancelled(refused) ? thrown : refused;
    }
    return run();
  }
}

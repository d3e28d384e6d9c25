// Copies text and says so. Where the browser has no clipboard (plain http to
// another machine), a text field does the work.
import { t } from "../i18n/index.svelte";
import { say } from "../state/toast.svelte";

export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(t("copied"));
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    say(done ? t("copied") : t("copy_failed"));
  }
}

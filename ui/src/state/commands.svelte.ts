// Every action of the page is a command in one registry; the palette, the
// shortcuts and the help read it from here.
import { untrack } from "svelte";
import type { Key } from "../i18n/index.svelte";

export interface Command {
  id: string;
  label: Key;
  /** As `KeyboardEvent.key`, with `Ctrl+` in front where needed. */
  shortcut?: string;
  run: () => void;
}

class Registry {
  commands = $state.raw<Command[]>([]);
}

export const registry = new Registry();

/** Adds commands; the function returned takes them out again (for pages). */
export function register(added: Command[]): () => void {
  // Pages call this from an effect: reading the list there must not start it again.
  return untrack(() => {
    const ids = new Set(added.map((command) => command.id));
    registry.commands = [...registry.commands.filter((command) => !ids.has(command.id)), ...added];
    return () => {
      registry.commands = untrack(() => registry.commands).filter((command) => !added.includes(command));
    };
  });
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

/** Runs the command whose shortcut was pressed. */
export function onShortcut(event: KeyboardEvent): void {
  if (event.altKey || event.isComposing) return;
  const control = event.ctrlKey || event.metaKey;
  if (!control && isTyping(event.target)) return;
  if (!control && document.querySelector("dialog[open]")) return;
  const pressed = control ? `Ctrl+${event.key.toLowerCase()}` : event.key;
  const command = registry.commands.find((candidate) => candidate.shortcut === pressed);
  if (!command) return;
  event.preventDefault();
  command.run();
}

// Short messages that a screen reader hears too; some carry an undo.

export interface Toast {
  id: number;
  text: string;
  action?: { label: string; run: () => void };
}

class Toasts {
  list = $state.raw<Toast[]>([]);
}

export const toasts = new Toasts();
let next = 1;

export function dismiss(id: number): void {
  toasts.list = toasts.list.filter((toast) => toast.id !== id);
}

export function say(text: string, action?: Toast["action"]): void {
  const toast: Toast = action ? { id: next, text, action } : { id: next, text };
  next += 1;
  toasts.list = [...toasts.list.slice(-2), toast];
  // With an action it stays until it is used or closed: nobody is hurried.
  if (!action) setTimeout(() => dismiss(toast.id), 6000);
}

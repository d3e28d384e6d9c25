// Takes a network without subsystems apart into modules: reactions that share metabolites go together, by labels that
// spread in a fixed order, so that the same network always falls apart in the same way.
import type { FluxReaction } from "../api/flux";

export interface Module {
  /** the metabolite that joins most of its reactions */
  around: string | null;
  reactions: FluxReaction[];
}

/** Most reactions of a module, least of one that stands alone, and how often the labels spread. */
const SIZE_MAX = 120;
const SIZE_MIN = 4;
const ROUNDS = 12;

export function modulesOf(reactions: readonly FluxReaction[], currency: ReadonlySet<string>): Module[] {
  const members = new Map<string, number[]>();
  reactions.forEach((reaction, index) => {
    for (const [id] of reaction.stoichiometry) {
      if (currency.has(id)) continue;
      const own = members.get(id);
      if (own) own.push(index);
      else members.set(id, [index]);
    }
  });
  const label = reactions.map((_, index) => index);
  const size = reactions.map(() => 1);
  for (let round = 0; round < ROUNDS; round += 1) {
    let moved = 0;
    reactions.forEach((reaction, index) => {
      const own = label[index] ?? index;
      const next = strongest(reaction, index, members, label, size);
      if (next === own) return;
      size[own] = (size[own] ?? 1) - 1;
      size[next] = (size[next] ?? 0) + 1;
      label[index] = next;
      moved += 1;
    });
    if (moved === 0) break;
  }
  return gathered(reactions, label, currency);
}

/** The label that weighs most around a reaction, of those with room; a rare metabolite weighs more than a common one. */
function strongest(reaction: FluxReaction, index: number, members: ReadonlyMap<string, number[]>, label: readonly number[], size: readonly number[]): number {
  const own = label[index] ?? index;
  const weights = new Map<number, number>();
  for (const [id] of reaction.stoichiometry) {
    const around = members.get(id) ?? [];
    if (around.length < 2) continue;
    for (const other of around) if (other !== index) weights.set(label[other] ?? other, (weights.get(label[other] ?? other) ?? 0) + 1 / (around.length - 1));
  }
  let best = own;
  let most = weights.get(own) ?? 0;
  for (const [candidate, weight] of weights) {
    if (candidate !== own && (size[candidate] ?? 0) >= SIZE_MAX) continue;
    if (weight > most + 1e-12 || (weight > most - 1e-12 && candidate < best)) {
      best = candidate;
      most = weight;
    }
  }
  return best;
}

function gathered(reactions: readonly FluxReaction[], label: readonly number[], currency: ReadonlySet<string>): Module[] {
  const groups = new Map<number, FluxReaction[]>();
  reactions.forEach((reaction, index) => {
    const own = label[index] ?? index;
    const group = groups.get(own);
    if (group) group.push(reaction);
    else groups.set(own, [reaction]);
  });
  const modules: Module[] = [];
  const small: FluxReaction[] = [];
  for (const group of groups.values()) {
    if (group.length < SIZE_MIN) small.push(...group);
    else modules.push({ around: centre(group, currency), reactions: group });
  }
  if (small.length > 0) modules.push({ around: null, reactions: small });
  return modules;
}

function centre(reactions: readonly FluxReaction[], currency: ReadonlySet<string>): string | null {
  const counts = new Map<string, number>();
  for (const reaction of reactions) for (const [id] of reaction.stoichiometry) if (!currency.has(id)) counts.set(id, (counts.get(id) ?? 0) + 1);
  let best: string | null = null;
  for (const [id, count] of counts) if (best === null || count > (counts.get(best) ?? 0)) best = id;
  return best;
}

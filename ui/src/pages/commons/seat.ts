// Who acts, and which acts are theirs: what their roles do not allow is not offered. The server decides all the same.
import type { WhoAmI } from "../../api/session";

export interface Seat {
  /** whoever holds the files of a store without users */
  owner: boolean;
  /** own organisation; empty when there is none */
  organisation: string;
  roles: readonly string[];
}

export function seatOf(user: WhoAmI | null): Seat {
  return user ? { owner: false, organisation: user.organisation ?? "", roles: user.roles.map((role) => role.code) } : { owner: true, organisation: "", roles: [] };
}

/** Roles by act, as the operations ask for them. */
const ROLES = {
  share: ["contributor-admin", "steward"],
  draft: ["contributor-admin"],
  sign: ["contributor-admin"],
  key: ["contributor-admin"],
  apply: ["contributor-admin"],
  screen: ["export-control-officer"],
  decide: ["operator"],
  use: ["contributor-admin", "steward", "scientist", "cdmo-operator"],
  feedback: ["contributor-admin", "steward", "scientist"],
  accept: ["contributor-admin", "steward"],
  dispute: ["contributor-admin", "steward"],
  settle: ["contributor-admin"],
  patent: ["contributor-admin", "steward", "scientist"],
  preview: ["contributor-admin", "steward", "operator", "auditor"],
  protection: ["contributor-admin", "steward", "scientist"],
  request_export: ["contributor-admin", "steward", "scientist", "cdmo-operator"],
  approve_export: ["contributor-admin", "steward"],
  benchmark: ["steward", "scientist", "ai-service"],
  set_budget: ["contributor-admin"],
  worth: ["steward", "contributor-admin", "scientist"],
  node: ["contributor-admin", "steward"],
} as const;

export type SeatAct = keyof typeof ROLES;

/** May this be theirs? `of` is the organisation it is done for, where that must be one's own. */
export function may(seat: Seat, act: SeatAct, of?: string): boolean {
  if (seat.owner) return true;
  const roles: readonly string[] = ROLES[act];
  return seat.roles.some((role) => roles.includes(role)) && (of === undefined || of === seat.organisation);
}

/** Does this person answer for the platform, and so see how all stand? */
export const overseer = (seat: Seat): boolean => seat.owner || seat.roles.some((role) => role === "operator" || role === "auditor");

/** May this person end the membership of an organisation? */
export const mayEnd = (seat: Seat, organisation: string): boolean => may(seat, "key", organisation) || seat.roles.includes("operator");

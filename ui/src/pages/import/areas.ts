// Areas of sharing in their order: each gives others less than the one before. Touches no browser object.

export type Area = "public" | "cooperative" | "competitive" | "clean-room";
const ORDER: readonly Area[] = ["public", "cooperative", "competitive", "clean-room"];

/** Does an area give others more than another? */
export const lessStrict = (one: Area | undefined, than: Area): boolean => one !== undefined && ORDER.indexOf(one) < ORDER.indexOf(than);

/** Where something may be moved without becoming more open: all areas that are stricter than the one it stands in. */
export const areasFrom = (now: Area): Area[] => ORDER.filter((area) => lessStrict(now, area));

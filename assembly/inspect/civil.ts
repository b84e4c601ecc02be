/**
 * Days since 1970 as a date of the Gregorian calendar. Source: H. Hinnant, "chrono-compatible
 * low-level date algorithms" (public domain): eras of 400 years, years that begin in March.
 */

export let civilYear: i64 = 0;
export let civilMonth: i64 = 0;
export let civilDay: i64 = 0;

/** Leaves the date of that day in civilYear, civilMonth, civilDay. */
export function civilOfDays(days: i64): void {
  const shifted = days + 719468;
  const era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  const dayOfEra = shifted - era * 146097;
  const years = dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096;
  const yearOfEra = years / 365;
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const march = (5 * dayOfYear + 2) / 153;
  civilDay = dayOfYear - (153 * march + 2) / 5 + 1;
  civilMonth = march < 10 ? march + 3 : march - 9;
  civilYear = yearOfEra + era * 400 + <i64>(civilMonth <= 2);
}

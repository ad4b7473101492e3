import { parsedText, quote } from "./text.ts";

const FORMS = "Write a day, 2027-06-30 (from 00:00 UTC), or a moment with its zone, 2027-06-30T18:00:00Z";

/** A day (00:00 UTC) or a moment with its zone, as milliseconds since the epoch (RFC 3339, a profile of ISO 8601). */
export const Moment = parsedText<number>(
  {
    description: "A day (`2027-06-30`, from 00:00 UTC) or a moment (`2027-06-30T18:00:00Z`).",
    pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,3})?)?(Z|[+-][0-9]{2}:[0-9]{2}))?$",
  },
  (text) => {
    const ms = parseMoment(text);
    if (ms !== undefined) return { ok: ms };
    const detail = /^[0-9-]+T[0-9:.]+$/.test(text) ? `Name the zone: ${text}Z is UTC` : FORMS;
    return { code: "bad-moment", summary: `${quote(text)} is not a day or a moment`, detail };
  },
);

const PARTS =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,3}))?)?(?:Z|([+-])([0-9]{2}):([0-9]{2})))?$/;

function parseMoment(text: string): number | undefined {
  const match = PARTS.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map((part) => Number(part ?? 0));
  const [zoneHour = 0, zoneMinute = 0] = match.slice(9, 11).map((part) => Number(part ?? 0));
  if (year < 1970 || hour > 23 || minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59) return undefined;
  const midnight = new Date(Date.UTC(year, month - 1, day));
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return undefined; // 2027-02-30 is no day
  const zone = (zoneHour * 60 + zoneMinute) * (match[8] === "-" ? -1 : 1);
  const milliseconds = Number((match[7] ?? "0").padEnd(3, "0"));
  return midnight.getTime() + ((hour * 60 + minute - zone) * 60 + second) * 1000 + milliseconds;
}

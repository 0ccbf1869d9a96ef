// The conversions of strftime(3) in the C locale, for the `@` sequences of -F.

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = [
  ...['January', 'February', 'March', 'April', 'May', 'June'],
  ...['July', 'August', 'September', 'October', 'November', 'December'],
];
const DAY_MS = 86_400_000;

const two = (value: number) => String(value).padStart(2, '0');
const blank = (value: number) => String(value).padStart(2, ' ');
const hour12 = (t: Date) => t.getHours() % 12 || 12;
const weekday = (t: Date) => days[t.getDay()] ?? '';
const month = (t: Date) => months[t.getMonth()] ?? '';
/** Days since 1 January, from 0; in UTC, where each has 24 hours. */
const dayOfYear = (t: Date) => (Date.UTC(t.getFullYear(), t.getMonth(), t.getDate()) - Date.UTC(t.getFullYear(), 0, 1)) / DAY_MS;

/** Year and week of ISO 8601: those of the week's Thursday. */
function isoWeek(t: Date): [year: number, week: number] {
  const thursday = new Date(Date.UTC(t.getFullYear(), t.getMonth(), t.getDate() + 3 - ((t.getDay() + 6) % 7)));
  const year = thursday.getUTCFullYear();
  return [year, 1 + Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * DAY_MS))];
}

function offset(t: Date): string {
  const minutes = -t.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}

const conversions: Readonly<Record<string, string | ((t: Date) => string)>> = {
  // A string is made of other conversions.
  c: '@a @b @e @T @Y',
  D: '@m/@d/@y',
  F: '@Y-@m-@d',
  h: '@b',
  r: '@I:@M:@S @p',
  R: '@H:@M',
  T: '@H:@M:@S',
  x: '@D',
  X: '@T',
  a: (t) => weekday(t).slice(0, 3),
  A: weekday,
  b: (t) => month(t).slice(0, 3),
  B: month,
  C: (t) => two(Math.floor(t.getFullYear() / 100)),
  d: (t) => two(t.getDate()),
  e: (t) => blank(t.getDate()),
  g: (t) => two(isoWeek(t)[0] % 100),
  G: (t) => String(isoWeek(t)[0]),
  H: (t) => two(t.getHours()),
  I: (t) => two(hour12(t)),
  j: (t) => String(dayOfYear(t) + 1).padStart(3, '0'),
  k: (t) => blank(t.getHours()),
  l: (t) => blank(hour12(t)),
  m: (t) => two(t.getMonth() + 1),
  M: (t) => two(t.getMinutes()),
  n: () => '\n',
  N: (t) => `${String(t.getMilliseconds()).padStart(3, '0')}000000`, // mosquitto_sub's own
  p: (t) => (t.getHours() < 12 ? 'AM' : 'PM'),
  P: (t) => (t.getHours() < 12 ? 'am' : 'pm'),
  s: (t) => String(Math.floor(t.getTime() / 1000)),
  S: (t) => two(t.getSeconds()),
  t: () => '\t',
  u: (t) => String(t.getDay() || 7),
  U: (t) => two(Math.floor((dayOfYear(t) + 7 - t.getDay()) / 7)),
  V: (t) => two(isoWeek(t)[1]),
  w: (t) => String(t.getDay()),
  W: (t) => two(Math.floor((dayOfYear(t) + 7 - ((t.getDay() + 6) % 7)) / 7)),
  y: (t) => two(t.getFullYear() % 100),
  Y: (t) => String(t.getFullYear()),
  z: offset,
  Z: (t) =>
    new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(t).find(({ type }) => type === 'timeZoneName')?.value ?? '',
  '%': () => '%',
  '@': () => '@',
};

export const conversionLetters = Object.keys(conversions).join('');

/** The value of one conversion, which is among conversionLetters. */
export function strftime(letter: string, time: Date): string {
  const conversion = conversions[letter] ?? '';
  if (typeof conversion === 'function') return conversion(time);
  return conversion.replace(/@(.)/g, (_, part: string) => strftime(part, time));
}

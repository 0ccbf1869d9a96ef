import type { Here, World } from './world.js';

/** Readings that a board was told are acknowledged. */
export const published = ({ events }: Here): number => events.all.filter(({ event }) => event === 'published').length;

/** Resolves when so many more readings are acknowledged. */
export const goesOn = (board: Here, count = 3) => board.tells('published', published(board) + count);

/** What a board took as readings, as text, from whole degrees. */
export function taken({ events }: Here): string[] {
  return events.all.filter(({ event }) => event === 'reading').map(({ a }) => `${a / 1000}.0`);
}

/** A thermometer that counts from 0, so that each reading is another. */
export async function counting(world: World): Promise<string> {
  return `replay:${await world.file('counting.csv', `time,celsius\n${Array.from({ length: 500 }, (_, i) => `${i},${i}`).join('\n')}\n`)}`;
}

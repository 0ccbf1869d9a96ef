// The sensor with a journal: all of sensor.ts, and last words.

export { flush } from './flush';
export * from './sensor';

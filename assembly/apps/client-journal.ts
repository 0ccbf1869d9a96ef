// The client module with a journal: all of client.ts, and last words.

export * from './client';
export { flush } from './flush';

// Why a file that a command line names cannot be read or written, and what to do: the end of a sentence.

const readable: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; name another',
  EACCES: 'no permission; change its mode or owner',
  EISDIR: 'it is a directory; name a file in it',
  ENOTDIR: 'a part of its path is no directory; name another',
};

const writable: Readonly<Record<string, string>> = {
  ...readable,
  ENOENT: 'there is no such directory; make it, or name another',
  EACCES: 'no permission; change the mode or the owner of its directory, or name another',
  EEXIST: 'a file is there already; name another',
  EROFS: 'the file system is read-only; name another place',
  ENOSPC: 'no space is left; make some',
};

const why = (words: Readonly<Record<string, string>>, error: unknown): string => {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return words[code] ?? (code || message);
};

export const unreadable = (error: unknown): string => why(readable, error);
export const unwritable = (error: unknown): string => why(writable, error);

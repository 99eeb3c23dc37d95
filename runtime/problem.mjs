// A problem that the person at the terminal can correct: one sentence, exit status 1, no stack trace.

export class Problem extends Error {}

/** A message of several lines as one line. */
export function sentence(text) {
  const lines = String(text)
    .split("\n")
    .map((line) => line.trim());
  return lines.filter(Boolean).join(" ");
}

/** Exits with status 1 and the sentence of a Problem; any other error is printed with its stack. */
export function fail(error) {
  console.error(error instanceof Problem ? `error: ${error.message}` : error);
  process.exit(1);
}

// A problem that the person at the terminal can mend: one sentence, exit status 1, no stack trace.

export class Problem extends Error {}

/** The lines of a message as one. */
export function sentence(text) {
  const lines = String(text).split("\n").map((line) => line.trim());
  return lines.filter(Boolean).join(" ");
}

/** Ends the process with the sentence of a Problem; anything else keeps its stack. */
export function fail(error) {
  console.error(error instanceof Problem ? `error: ${error.message}` : error);
  process.exit(1);
}

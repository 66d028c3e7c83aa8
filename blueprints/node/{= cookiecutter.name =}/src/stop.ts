/** When the process has been asked to stop. */

/** Comes to pass with the first SIGTERM or SIGINT; from the call on, neither ends the process by itself. */
export function askedToStop(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => {
        resolve();
      });
    }
  });
}

/** What all metrics of durations have in common. */

/** Upper bounds in seconds; the same in every service, whatever its language, so that one query suits them all. */
export const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** The seconds since `began`, a time of `performance.now()`. */
export function secondsSince(began: number): number {
  return (performance.now() - began) / 1000;
}

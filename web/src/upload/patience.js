// Sending a request again when the gallery says that waiting helps, or when the connection broke off.

import { ApiError } from "../api.js";
import { BROKEN_OFF } from "./refusals.js";

const TRIES = 5;
const LONGEST_PAUSE_S = 60;
const PASSING = ["conflict", "overloaded", "unavailable", "rate_limited"];

/**
 * @template Result
 * @param {() => Promise<Result>} request that may be sent more than once
 * @param {(seconds: number, reason: string) => void} onwait
 * @returns {Promise<Result>}
 */
export async function patiently(request, onwait) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof ApiError) || !passes(error) || attempt === TRIES) throw error;
      const seconds = Math.min(error.retryAfter ?? attempt, LONGEST_PAUSE_S);
      onwait(seconds, error.code === "network" ? BROKEN_OFF : error.message);
      await pause(seconds * 1000);
    }
  }
}

/** @param {ApiError} error */
const passes = ({ code }) => PASSING.includes(code) || (code === "network" && navigator.onLine);

/** @param {number} ms */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

import { retryRules } from "./resilience-constants.ts";

/**
 * Bounds the retries to an upstream, so that they don't add to an outage: gRFC A6, retryThrottling.
 * A failure takes a token, a success gives a tenth of one back, and with half of the tokens gone
 * nobody retries.
 */
export class RetryBudget {
  #tokens: number = retryRules.maxTokens;

  /** Tokens left, from 0 to 100. */
  get tokens(): number {
    return this.#tokens;
  }

  /** True if a retry may be sent. */
  get allows(): boolean {
    return this.#tokens > retryRules.maxTokens / 2;
  }

  /** An attempt failed in a way that is worth a retry, whether one follows or not. */
  failed(): void {
    this.#tokens = Math.max(0, this.#tokens - 1);
  }

  /** An attempt succeeded. */
  succeeded(): void {
    const tokens = this.#tokens + retryRules.tokenRatio;
    // A thousandth is as exact as gRPC counts; without it, tenths add up to a little less.
    this.#tokens = Math.min(retryRules.maxTokens, Math.round(tokens * 1_000) / 1_000);
  }
}

import type { TokenVerifier } from "@3l1/kit/auth/access-token.ts";
import type { Revocations } from "@3l1/kit/auth/revocations.ts";
import type { ServiceCredential } from "@3l1/kit/auth/secrets.ts";
import type { Logger } from "@3l1/kit/logger.ts";
import type { PageTokens } from "@3l1/kit/stores/page-token.ts";
import type { TokenIssuer } from "./access-tokens.ts";
import type { Audit } from "./audit.ts";
import type { LoginThrottle } from "./login-throttle.ts";
import type { PasswordRules } from "./password-rules.ts";
import type { Passwords } from "./passwords.ts";
import type { Revoker } from "./revoker.ts";
import type { SessionKeys } from "./session-key.ts";
import type { SessionOpener } from "./session-opener.ts";
import type { SessionStore } from "./session-store.ts";
import type { Keyring } from "./signing-keys.ts";
import type { Store } from "./store.ts";

/** What the handlers work with. Each takes what it needs. */
export interface Parts {
  readonly store: Store;
  readonly sessions: SessionStore;
  readonly sessionKeys: SessionKeys;
  readonly openSession: SessionOpener;
  readonly revoker: Revoker;
  readonly revocations: Revocations;
  readonly passwords: Passwords;
  readonly passwordRules: PasswordRules;
  readonly throttle: LoginThrottle;
  readonly keyring: Keyring;
  readonly issueToken: TokenIssuer;
  readonly verifier: TokenVerifier;
  readonly credential: ServiceCredential;
  readonly pageTokens: PageTokens;
  readonly audit: Audit;
  readonly logger: Logger;
  /** Life of an access token. */
  readonly tokenTtlSeconds: number;
  /** Has the relay look at once for users whose orders are to be purged. */
  readonly purgeSoon: () => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

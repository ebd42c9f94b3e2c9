import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../../scripts/run.ts";

/** Where `check.go` is, and where `install.ts` puts the program made from it. */
export const sources = import.meta.dirname;
export const folder = join(root, ".local/kubernetes");
export const program = join(folder, "check");

/** Why there is no check, if there is none. */
export const missing = isCurrent()
  ? false
  : "not installed: node dev/launch.mjs e2e/deploy/kubernetes/install.ts";

/** What a kustomization comes to, and what the API server of Kubernetes would say of it. */
export interface Report {
  readonly objects: readonly KubernetesObject[];
  readonly problems: readonly string[];
}

export type Labels = Readonly<Record<string, string>>;

/** What tests look at of an object. */
export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Labels };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: Spec;
}

export interface Spec {
  readonly selector?: Labels & { readonly matchLabels?: Labels };
  readonly podSelector?: { readonly matchLabels?: Labels };
  readonly clusterIP?: string;
  readonly ports?: readonly {
    readonly name: string;
    readonly port: number;
    readonly targetPort: string;
  }[];
  readonly scaleTargetRef?: { readonly kind: string; readonly name: string };
  readonly template?: PodTemplate;
  readonly [key: string]: unknown;
}

export interface PodTemplate {
  readonly metadata: { readonly labels: Labels };
  readonly spec: {
    readonly containers: readonly Container[];
    readonly volumes: readonly {
      readonly name: string;
      readonly secret: { readonly secretName: string; readonly defaultMode: number };
    }[];
    readonly terminationGracePeriodSeconds: number;
  };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
}

export interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string };
  readonly grpc?: { readonly port: number };
}

/**
 * Builds and checks a kustomization of deploy/kubernetes, or a manifest.
 *
 * @throws with what kustomize says when it cannot be built
 */
export function checkManifests(path: string): Report {
  const output = execFileSync(program, [path], {
    cwd: join(root, "deploy/kubernetes"),
    maxBuffer: 16 * 1024 * 1024,
  });
  return JSON.parse(output.toString("utf8"));
}

/** A program made from another check.go checks something else. */
function isCurrent(): boolean {
  try {
    return (
      readFileSync(`${program}.go`, "utf8") === readFileSync(join(sources, "check.go"), "utf8")
    );
  } catch {
    return false;
  }
}

import { Access, type MethodPolicy, policy } from "@3l1/gen/platform/v1/method_policy_pb.ts";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { getOption, hasOption } from "@bufbuild/protobuf";

/**
 * The platform's rules for a method, from the option in its schema.
 *
 * @throws when the schema does not say who may call the method.
 */
export function policyOf(method: DescMethod): MethodPolicy {
  const rules = hasOption(method, policy) ? getOption(method, policy) : undefined;
  if (rules === undefined || rules.access === Access.UNSPECIFIED)
    throw new Error(`${method.parent.typeName}.${method.name} does not say who may call it`);
  return rules;
}

/** The policies of all methods of some services. Reading one is a map look-up, not a parse. */
export function policiesOf(services: readonly DescService[]): Map<DescMethod, MethodPolicy> {
  return new Map(
    services.flatMap((service) => service.methods.map((method) => [method, policyOf(method)])),
  );
}

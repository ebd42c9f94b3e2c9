/**
 * Describes a property that is worked out when someone looks at it, for `Object.defineProperty`. It
 * becomes the object's own and enumerable, so that a copy (`{ ...object }`) has its value; a getter of a
 * class would be lost. One shared function costs a tenth of a getter in an object literal, which is a
 * new function, and so a new shape, for every object.
 */
export function ownGetter<T>(get: (object: T) => unknown): PropertyDescriptor & ThisType<T> {
  return {
    configurable: true,
    enumerable: true,
    get(): unknown {
      return get(this);
    },
  };
}

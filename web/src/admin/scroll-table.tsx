import type { ComponentChildren } from "preact";

/** A table that scrolls sideways where it is too narrow for it. */
export function ScrollTable({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be in reach of the keyboard.
    <section class="table" aria-label={label} tabIndex={0}>
      <table>{children}</table>
    </section>
  );
}

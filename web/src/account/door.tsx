import type { ComponentChildren } from "preact";
import { Mark } from "../app/mark.tsx";
import { Icon } from "../parts/icon.tsx";
import { Page } from "../parts/page.tsx";

export interface DoorProps {
  readonly title: string;
  /** Why one stands before it. */
  readonly word?: string;
  readonly children: ComponentChildren;
}

/** A screen for those who are not logged in. */
export function Door({ title, word, children }: DoorProps) {
  return (
    <div class="door">
      <span class="brand" aria-hidden="true">
        <Mark /> 3L1
      </span>
      <Page title={title}>
        {word && (
          <p class="word" role="status">
            <Icon name="out" />
            {word}
          </p>
        )}
        {children}
      </Page>
    </div>
  );
}

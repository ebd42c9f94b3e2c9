import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

export interface PageProps {
  readonly title: string;
  /** Stands beside the title. */
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** The first page is where the browser puts the focus; later ones take it, so that readers hear of them. */
let isFirst = true;

/** A screen with its heading, which takes the focus when one comes here. */
export function Page({ title, aside, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · 3L1`;
  }, [title]);
  useEffect(() => {
    if (!isFirst) heading.current?.focus();
    isFirst = false;
    scrollTo(0, 0);
  }, []);
  return (
    <>
      <header class="page-head">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {aside}
      </header>
      {children}
    </>
  );
}

/** Bars in the place of what is on its way. */
export function Skeleton({ rows = 3 }: { readonly rows?: number }) {
  return (
    <div class="skeleton" role="status">
      <span class="hidden">Loading…</span>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} aria-hidden="true" />
      ))}
    </div>
  );
}

/** Says that there is nothing, and what to do about it. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <svg viewBox="0 0 64 64" aria-hidden="true">
        <path d="M16 8h32v46l-5-4-5.5 4-5.5-4-5.5 4-5.5-4-5 4z" />
        <path d="M24 20h16M24 28h16M24 36h8" />
      </svg>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

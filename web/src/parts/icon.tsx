/** Drawn on a field of 20 by 20, in strokes. */
const paths = {
  alert: "M10 6v5M10 14v.01M10 2.5 18 16.5H2z",
  back: "M12 4l-6 6 6 6",
  check: "M4 10.5l4 4 8-9",
  close: "M5 5l10 10M15 5L5 15",
  device: "M3 4h14v9H3zM7 17h6M10 13v4",
  gauge: "M3 15a8 8 0 1 1 14 0M10 12l4-5",
  moon: "M16 12.5A7 7 0 0 1 7.5 4 7 7 0 1 0 16 12.5z",
  orders: "M5 2.5h10v15l-2.5-2-2.5 2-2.5-2-2.5 2zM8 7h4M8 10.5h4",
  out: "M12 4h4v12h-4M9 10H3M6 7l-3 3 3 3",
  plus: "M10 4v12M4 10h12",
  reload: "M16 10a6 6 0 1 1-2-4.5M16 3v4h-4",
  stack: "M3 6l7-3 7 3-7 3zM3 10l7 3 7-3M3 14l7 3 7-3",
  sun: "M10 7a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM10 2v2M10 16v2M2 10h2M16 10h2M4.5 4.5L6 6M14 14l1.5 1.5M15.5 4.5L14 6M6 14l-1.5 1.5",
  auto: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
  trash: "M4 6h12M8 6V4h4v2M6 6l.7 11h6.6L14 6",
  user: "M10 10a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3.5 17a6.5 6.5 0 0 1 13 0",
  users:
    "M7.5 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2 16.5a5.5 5.5 0 0 1 11 0M13 4.3a3 3 0 0 1 0 5.4M15 12a5.5 5.5 0 0 1 3 4.5",
} as const;

export type IconName = keyof typeof paths;

/** A small picture beside words; it says nothing by itself. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}

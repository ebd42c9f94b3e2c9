/** The brand: a slip of paper. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M5 0h22a3 3 0 0 1 3 3v25l-4 4-4-4-4 4-4-4-4 4-4-4-4 4V3a3 3 0 0 1 3-3z" />
      <path d="M9 9h14M9 15h14M9 21h8" />
    </svg>
  );
}

// The mark of the page: three lines of a dump, the middle one short.

export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 16 16" width="22" height="22" aria-hidden="true">
      <rect width="16" height="16" rx="4" />
      <path d="M4 5h8M4 8h5M4 11h7" />
    </svg>
  );
}

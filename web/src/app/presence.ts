import { computed, signal } from "@preact/signals";

/** Quickly back and forth between two tabs costs no new stream. */
const hiddenForMs = 20_000;

/** Whether the browser has a network at all. */
export const online = signal(navigator.onLine);
const hidden = signal(document.hidden);

/**
 * Whether there is anybody to show live changes to, and a way for them to come. A browser opens six
 * connections to a host, for all its tabs together: those that nobody looks at must not hold them.
 */
export const present = computed(() => online.value && !hidden.value);

addEventListener("online", () => {
  online.value = true;
});
addEventListener("offline", () => {
  online.value = false;
});

let timer: ReturnType<typeof setTimeout> | undefined;
document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (!document.hidden) hidden.value = false;
  else
    timer = setTimeout(() => {
      hidden.value = true;
    }, hiddenForMs);
});

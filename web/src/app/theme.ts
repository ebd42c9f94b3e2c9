import { effect, signal } from "@preact/signals";

/** `system` follows the browser. */
export type Theme = "system" | "light" | "dark";

const key = "3l1-theme";
/** The scheme that was chosen here. */
export const theme = signal<Theme>(stored());

/** Puts the choice on the page and remembers it. */
export function followTheme(): void {
  effect(() => {
    const { classList } = document.documentElement;
    classList.toggle("light", theme.value === "light");
    classList.toggle("dark", theme.value === "dark");
    try {
      if (theme.value === "system") localStorage.removeItem(key);
      else localStorage.setItem(key, theme.value);
    } catch {
      // Storage is off: the choice lasts as long as the page.
    }
  });
}

function stored(): Theme {
  try {
    const value = localStorage.getItem(key);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

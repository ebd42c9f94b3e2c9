import { Icon, type IconName } from "../parts/icon.tsx";
import { type Theme, theme } from "./theme.ts";

const turns: Record<Theme, readonly [next: Theme, icon: IconName, now: string]> = {
  system: ["light", "auto", "as the system has it"],
  light: ["dark", "sun", "light"],
  dark: ["system", "moon", "dark"],
};

/** Goes round: as the system has it, light, dark. */
export function ThemeButton() {
  const [next, icon, now] = turns[theme.value];
  const label = `Colours: ${now}`;
  return (
    <button
      type="button"
      class="bare"
      aria-label={label}
      title={label}
      onClick={() => {
        theme.value = next;
      }}
    >
      <Icon name={icon} />
    </button>
  );
}

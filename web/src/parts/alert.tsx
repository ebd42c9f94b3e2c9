import { Icon } from "./icon.tsx";

export interface AlertProps {
  readonly text: string;
  /** Offers to try again. */
  readonly retry?: () => void;
}

/** Something that went wrong, said where one looks. */
export function Alert({ text, retry }: AlertProps) {
  return (
    <div class="alert" role="alert" tabIndex={-1}>
      <Icon name="alert" />
      <span>{text}</span>
      {retry && (
        <button type="button" class="quiet" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

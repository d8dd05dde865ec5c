import { notifications } from "@mantine/notifications";

/** Says for a few seconds that something was done. */
export function tell(message: string): void {
  notifications.show({ message, withCloseButton: false });
}

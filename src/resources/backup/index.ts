export type { Backup, BackupEntry, BackupHeader } from "./backup.ts";
export { checkBackup, decodeBackup } from "./decode-backup.ts";
export { encodeBackup } from "./encode-backup.ts";

#!/bin/sh
# A backup now and then, for ever. The command keeps BACKUP_KEEP of them, whole or not at all.
set -u
every_s=$((${BACKUP_EVERY_HOURS:-24} * 3600))
while :; do
  python manage.py backup --to /backups --keep "${BACKUP_KEEP:-14}" || echo "the backup failed; those before stay" >&2
  sleep "$every_s" &
  wait $!
done

-- What the services ask for when they connect, for connections through a pooler that does not hand it on.
alter role user_service in database user_service set statement_timeout = '4s';
alter role order_service in database order_service set statement_timeout = '4s';
alter role order_service in database order_service set enable_sort = off;
alter role order_service in database order_service set enable_incremental_sort = off;

-- Runs once, when PostgreSQL creates its data: for each service a database, and a login that can enter no
-- other. The passwords are files that deploy/compose/make-secrets.mts has written.

do $$
declare
  service text;
begin
  foreach service in array array['user_service', 'order_service'] loop
    execute format(
      'create role %I login password %L',
      service,
      trim(trailing e'\n' from pg_read_file(format('/run/secrets/%s_password', service)))
    );
  end loop;
end
$$;

create database user_service owner user_service;
create database order_service owner order_service;
revoke all on database user_service, order_service, postgres, template1 from public;

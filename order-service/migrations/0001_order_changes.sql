CREATE TYPE "public"."order_change_kind" AS ENUM('created', 'changed', 'deleted');--> statement-breakpoint
CREATE TABLE "order_changes" (
	"tx" "xid8" NOT NULL,
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "order_changes_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"user_id" uuid NOT NULL,
	"order_id" uuid NOT NULL,
	"kind" "order_change_kind" NOT NULL,
	"order" "bytea",
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "order_changes_tx_id_pk" PRIMARY KEY("tx","id")
);
--> statement-breakpoint
CREATE TABLE "order_changes_forgotten" (
	"one" integer PRIMARY KEY NOT NULL,
	"tx" "xid8" NOT NULL,
	"id" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "order_changes_by_user" ON "order_changes" USING btree ("user_id","tx","id");
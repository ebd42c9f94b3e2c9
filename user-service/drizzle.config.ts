import { defineConfig } from "drizzle-kit";

/** For `drizzle-kit generate`, which writes the SQL in migrations/ from the schema. */
export default defineConfig({
  dialect: "postgresql",
  schema: "./src/schema.ts",
  out: "./migrations",
});

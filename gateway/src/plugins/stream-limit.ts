import fastifyPlugin from "fastify-plugin";
import { maxStreamsPerUser } from "../limits.ts";
import { tooManyStreams } from "../refusal.ts";
import { isStream } from "../route-name.ts";
import { whenClosed } from "../when-closed.ts";

/** So many streams a user, whichever face they come through: nobody takes them all. */
export const streamLimit = fastifyPlugin(
  async (app) => {
    const open = new Map<string, number>();
    app.addHook("onRequest", (request, reply, done) => {
      const userId = request.identity?.caller?.userId;
      if (userId === undefined || !isStream(request)) return done();
      const count = open.get(userId) ?? 0;
      if (count >= maxStreamsPerUser) throw tooManyStreams(maxStreamsPerUser);
      open.set(userId, count + 1);
      whenClosed(reply.raw, () => {
        const left = (open.get(userId) ?? 1) - 1;
        if (left > 0) open.set(userId, left);
        else open.delete(userId);
      });
      done();
    });
  },
  { name: "stream-limit", dependencies: ["authenticate"] },
);

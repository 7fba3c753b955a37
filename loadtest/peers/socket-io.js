// Socket.IO as its documentation tells to run it: WebSocket alone, the native add-on of `ws`, no compression, the first request of
// each socket forgotten; with the Redis adapter where there is a REDIS_URL, as in every installation of several nodes.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const { PORT, REDIS_URL, KEY } = process.env;

async function redisAdapter() {
  const publisher = createClient({ url: REDIS_URL });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  return { adapter: createAdapter(publisher, subscriber) };
}

const http = createServer();
const io = new Server(http, {
  ...(REDIS_URL ? await redisAdapter() : {}),
  transports: ["websocket"],
  perMessageDeflate: false,
});
io.engine.on("connection", (socket) => {
  socket.request = null;
});

// A token is the topic and its HMAC: who shows one may listen there.
io.use((socket, next) => {
  const { topic, proof } = socket.handshake.auth;
  const expected = createHmac("sha256", KEY).update(String(topic)).digest();
  const shown = Buffer.from(String(proof), "hex");
  const isOurs = shown.length === expected.length && timingSafeEqual(shown, expected);
  next(isOurs ? undefined : new Error("unauthorized"));
});
io.on("connection", (socket) => {
  const { topic, speaks } = socket.handshake.auth;
  if (!speaks) socket.join(topic);
  socket.on("say", (text) => io.to(topic).emit("said", text));
});

http.listen(Number(PORT), "127.0.0.1");

"use strict";
// Five faults of tslab 1.0.22 in what it tells a notebook.

const { JupyterHandlerImpl, ZmqServer } = require("tslab/dist/jupyter");

/** Of each socket the messages that wait for those before them. */
const queues = new WeakMap();

/** Sends at once where that is possible, as a cell that computes without a pause lets nothing leave later; else in order. */
function sendInOrder(socket, message) {
  const queue = queues.get(socket) ?? { waiting: [], last: undefined };
  queues.set(socket, queue);
  if (queue.waiting.length === 0) {
    try {
      queue.last = socket.send(message);
      return;
    } catch (error) {
      if (error.code !== "EBUSY") throw error;
    }
  }
  if (queue.waiting.push(message) === 1) void sendWaiting(socket, queue);
}

async function sendWaiting(socket, { waiting, last }) {
  await last;
  for (; waiting.length > 0; waiting.shift()) await socket.send(waiting[0]);
}

/**
 * A socket that is busy with a message throws at the next one, and what that one answered is lost: of a slider that is moved
 * fast, where it stands in the end.
 */
function mendSending() {
  const { publishStatus } = ZmqServer.prototype;
  let mended = false;
  ZmqServer.prototype.publishStatus = function (status, request) {
    if (!mended) {
      mended = true;
      const message = Object.getPrototypeOf(request); // tslab does not export the class of its messages
      const { signAndSend } = message;
      message.signAndSend = function (key, socket) {
        signAndSend.call(this, key, { send: (parts) => sendInOrder(socket, parts) });
      };
    }
    publishStatus.call(this, status, request);
  };
}

/**
 * tslab takes requests while a cell runs, and says that it is idle whenever one of them is done: it says at once that
 * it is busy, as long as another is not.
 */
function mendStatus() {
  const { publishStatus } = ZmqServer.prototype;
  const open = new Set();
  ZmqServer.prototype.publishStatus = function (status, request) {
    publishStatus.call(this, status, request);
    if (status === "busy") open.add(request);
    else open.delete(request);
    const [other] = open;
    if (status === "idle" && other) publishStatus.call(this, "busy", other);
  };
}

/** JupyterLab writes what the kernel says of its language into a notebook: what is there already, or the notebook counts as changed. */
function mendLanguage() {
  const { handleKernel } = JupyterHandlerImpl.prototype;
  JupyterHandlerImpl.prototype.handleKernel = function () {
    const language_info = { name: "typescript", file_extension: ".ts", mimetype: "text/typescript" };
    return { ...handleKernel.call(this), language_info };
  };
}

/** Answers requests that tslab does not know: by their type a function of the server and the request. */
function answer(requests) {
  const { publishStatus } = ZmqServer.prototype;
  ZmqServer.prototype.publishStatus = function (status, request) {
    publishStatus.call(this, status, request);
    if (status === "busy") requests[request.header.msg_type]?.(this, request);
  };
  const { warn } = console;
  console.warn = (...words) => {
    const [, type] = /^unknown msg_type: (\w+)$/.exec(words[0]) ?? [];
    if (!(type in requests)) warn(...words);
  };
}

/** JupyterLab asks for earlier input, waits, and complains in the browser's console; tslab complains in the terminal's. */
function mendHistory() {
  answer({
    history_request(server, request) {
      const reply = request.createReply();
      reply.header.msg_type = "history_reply";
      reply.content = { status: "ok", history: [] };
      reply.signAndSend(server.connInfo.key, server.shell);
    },
  });
}

/** When a cell fails, tslab skips those that wait: here not where the request says so (nbconvert --allow-errors). */
function mendErrors() {
  const { handleExecute } = JupyterHandlerImpl.prototype;
  JupyterHandlerImpl.prototype.handleExecute = function (request, ...rest) {
    if (request.stop_on_error !== false) return handleExecute.call(this, request, ...rest);
    const add = async (task) => {
      const failures = []; // beside the queue, which would hand them on to the next
      const count = await this.execQueue.add(() => task().catch((failure) => failures.push(failure)));
      if (failures.length > 0) throw failures[0];
      return count;
    };
    const tolerant = {
      execQueue: { add, reset: () => undefined },
      handleExecuteImpl: (...args) => this.handleExecuteImpl(...args),
    };
    return handleExecute.call(tolerant, request, ...rest);
  };
}

module.exports = function mendMessages() {
  mendSending();
  mendErrors();
  mendStatus();
  mendLanguage();
  mendHistory();
};
module.exports.answer = answer;

"""An endpoint that decides nothing: FastAPI with the request and response models of the service.

python -m benchmarks._noop ANSWER
"""

import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from tactful.serving.api.decisions.schemas import DecisionAnswer, DecisionRequest
from tactful.serving.process.sockets import address, listen


def endpoint(answer: Path) -> FastAPI:
    """The application: whatever it is asked, it tells the answer in a file."""
    told = DecisionAnswer.model_validate_json(answer.read_bytes())
    app = FastAPI()

    @app.post("/v1/decisions")
    async def decide(_: DecisionRequest) -> DecisionAnswer:
        return told

    return app


def main() -> None:
    """Answers on a free port, whose address it tells first; its one argument is the file."""
    listening = listen("127.0.0.1", 0)
    print(address(listening), flush=True)
    config = uvicorn.Config(
        endpoint(Path(sys.argv[1])), loop="uvloop", http="httptools", log_level="warning", access_log=False
    )
    uvicorn.Server(config).run([listening])


if __name__ == "__main__":
    main()

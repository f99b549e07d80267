# Builds an image of the page and its model:
#   docker build --tag colorizer . && docker run --rm --publish 7860:7860 colorizer
# For NVIDIA GPUs add --build-arg TORCH_BACKEND=cu128 (or another backend of uv), and `docker run --gpus all`.

FROM python:3.12-slim AS build
ARG TORCH_BACKEND=cpu
ENV UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 VIRTUAL_ENV=/opt/venv
RUN pip install --no-cache-dir "uv>=0.9,<1" && uv venv "$VIRTUAL_ENV"
WORKDIR /src
COPY requirements.txt ./
RUN uv pip install --torch-backend "$TORCH_BACKEND" --requirements requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY weights weights
COPY examples examples
COPY colorizer colorizer
RUN uv pip install --no-deps .

FROM python:3.12-slim
RUN useradd --uid 1000 --create-home colorizer && install --directory --owner=1000 /data
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HF_HOME=/data/huggingface \
    GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
USER 1000
VOLUME /data
EXPOSE 7860
HEALTHCHECK --start-period=60s --timeout=5s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
CMD ["colorizer", "serve"]

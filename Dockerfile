# Builds ghpo with the CUDA variant of TorchSharp. For CPU: --build-arg TORCH_BACKEND=cpu --build-arg RUNTIME=mcr.microsoft.com/dotnet/runtime:10.0-noble
#
# Not built or run by this project's tests, which have neither a container engine nor a GPU: read it as a starting point.

ARG RUNTIME=nvidia/cuda:12.8.1-cudnn-runtime-ubuntu24.04

FROM mcr.microsoft.com/dotnet/sdk:10.0-noble AS build
ARG TORCH_BACKEND=cuda
WORKDIR /source
# Project files first: a change of code does not download the packages (some gigabytes for CUDA) again.
COPY global.json Directory.Build.props Directory.Build.targets Directory.Packages.props ./
COPY build build
COPY src/Ghpo.Actors/Ghpo.Actors.csproj src/Ghpo.Actors/
COPY src/Ghpo.Node/Ghpo.Node.csproj src/Ghpo.Node/
RUN dotnet restore src/Ghpo.Node/Ghpo.Node.csproj -r linux-x64 -p:TorchBackend=${TORCH_BACKEND}
COPY hocon hocon
COPY models models
COPY src src
RUN dotnet publish src/Ghpo.Node/Ghpo.Node.csproj -c Release -r linux-x64 --self-contained --no-restore \
    -p:TorchBackend=${TORCH_BACKEND} -o /app

FROM ${RUNTIME} AS runtime
# Fonts for the report's plots; procps for the health check.
RUN apt-get update && apt-get install -y --no-install-recommends fonts-dejavu-core procps && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --create-home ghpo && mkdir /runs && chown ghpo /runs
COPY --from=build /app /app
USER ghpo
WORKDIR /home/ghpo
VOLUME /runs
ENTRYPOINT ["/app/ghpo"]
# Alive is all it asks; whether the run makes progress stands in its log.
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s \
    CMD pgrep -x ghpo > /dev/null || exit 1
CMD ["train", "--set", "model.device=cuda", "--set", "run.folder=/runs"]
